"""What triggers: one module for each dimension's facts, and one for what is reached."""
