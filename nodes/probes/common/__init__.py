"""What probes share: how one is declared, what it works with, and what is waited for between its steps."""
