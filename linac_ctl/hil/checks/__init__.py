"""The checks of the conformance kit, one noun a file. Each writes statements into its finding."""
