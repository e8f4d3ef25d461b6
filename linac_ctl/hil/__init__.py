"""Tools for hardware in the loop: a conformance kit for somebody's device, and looks at what goes over its wire."""
