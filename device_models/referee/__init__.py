"""The referee: an independent judge of plant truth and wires. It imports nothing of the controller, nor of what it judges.

    columns  what is written down of every cycle         witness  writes it, compiled, and looks at once for the worst
    judging  what is made of it after the run            properties  one small function per property of the catalogue
"""
