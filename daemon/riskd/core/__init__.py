"""Pure values and functions: no clock, file, socket, log or event loop."""
