"""What can go wrong, as data: writes to plant parameters, signal wrappers, acts, memory. Never code in the controller."""
