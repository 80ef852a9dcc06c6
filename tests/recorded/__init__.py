"""Stories on the demo clinic with what its tools answered and wrote, line by line, as it was read and found right.

Where a change alters them it is meant, or it is a fault. `python -m tests.recorded` records them anew, so that the
difference can be read.
"""
