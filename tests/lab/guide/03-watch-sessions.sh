watch sudo birdc show protocols
