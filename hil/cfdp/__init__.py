"""Files for a standard ground system: products that came down leave the archive by CFDP."""
