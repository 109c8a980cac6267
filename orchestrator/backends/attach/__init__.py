"""The attach backend: nodes on hosts where `faultbed agent` already runs."""
