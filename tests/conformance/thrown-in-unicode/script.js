throw new Error("košík je prázdný 🧺");
