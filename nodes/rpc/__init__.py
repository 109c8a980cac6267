"""PURE: remote procedure calls: interfaces, codecs, and the policies of client and server."""
