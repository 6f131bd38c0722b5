"""The composition root: settings become a running daemon, or one of its parts; nothing else knows concrete classes."""
