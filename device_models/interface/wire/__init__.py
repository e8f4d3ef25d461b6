"""The wire protocol: lines, values, units. Both sides use it; docs/reference/wire-protocol.md is the contract."""
