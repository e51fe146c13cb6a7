export GATEWAY_LB_DEMO=$(kubectl get gateway/load-balancing-gateway -o jsonpath='{.status.addresses[0].value}')
echo "GATEWAY_LB_DEMO is: $GATEWAY_LB_DEMO"
