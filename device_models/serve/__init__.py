"""Virtual devices behind bytes: the far end of hardware in the loop. Steps the plant, speaks the wire protocol."""
