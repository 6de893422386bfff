"""Azure's and Entra's policy semantics: the decision, its conditions, and what they lead to."""
