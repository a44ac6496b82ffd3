"""The warehouse Pi: it reads a barcode, asks the chain, consumes the voucher and opens the gate exactly once."""
