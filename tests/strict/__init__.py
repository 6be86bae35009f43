"""What AWS refuses and moto lets pass: a stricter reading of every request that any test sends."""
