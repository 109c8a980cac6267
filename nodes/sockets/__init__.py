"""Socket servers: messages in the protocols of nodes/wire/messages.py, each sent once, and echoed."""
