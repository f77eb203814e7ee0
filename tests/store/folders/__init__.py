"""Data folders as released code left them; what comes later must open them."""
