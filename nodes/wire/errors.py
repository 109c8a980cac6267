"""The one error of bytes that are not what they should be."""


class WireError(ValueError):
    """Malformed, oversized or unexpected bytes, or a value that has no form on the wire; says what and where."""
