sudo grep -A 8 "Import filter"  /etc/bird/bird.conf
