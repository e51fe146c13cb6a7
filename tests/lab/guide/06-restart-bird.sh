sudo systemctl restart bird
