"""What of the reach, and of its change, is a finding, and how bad it is."""
