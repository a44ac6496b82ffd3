"""The web application: sellers list goods, buyers pay and get a barcode, operators watch their gates."""
