hey -n 100 -c 100 -host "www.example.com" http://${GATEWAY_LB_DEMO}/round
