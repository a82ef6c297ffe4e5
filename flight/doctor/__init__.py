"""What `lumenode doctor` looks at: software, machine, board, node. Looks and changes nothing."""
