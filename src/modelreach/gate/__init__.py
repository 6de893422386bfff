"""The release gate: is this update a security change, what does that demand, and is it done?

It takes two manifests and the difference of reach, and gives triggers, demands and a verdict. Like
the stages before it, it reads no file and no clock.
"""
