"""PURE: what runs are told as: tables, claims, stories, JUnit XML. Texts and values only; the command prints them."""
