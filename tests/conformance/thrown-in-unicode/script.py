raise RuntimeError("košík je prázdný 🧺")
