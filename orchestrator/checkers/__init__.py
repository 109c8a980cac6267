"""PURE: functions from a history to findings. One property a file."""
