"""The SQL side: tables, connections and migrations."""
