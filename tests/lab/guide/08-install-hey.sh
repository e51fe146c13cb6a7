sudo apt install -y hey
