"""PURE: times are whole nanoseconds; of what people count in, so many."""

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
