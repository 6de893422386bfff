"""Google Cloud: allow, deny and boundary policies, decided, and who can become whom by them."""
