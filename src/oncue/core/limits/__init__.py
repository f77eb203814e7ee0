"""What a vendor can take: its budget as its answers tell it, and whether it answers at all."""
