"""What a person has decided about findings: kept in a file, found again in other runs by the texts themselves."""
