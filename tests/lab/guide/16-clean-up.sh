kubectl delete ServiceAccount backend
kubectl delete service backend
kubectl delete deployment backend
kubectl delete gateway load-balancing-gateway
kubectl delete BackendTrafficPolicy round-robin-policy
kubectl delete HTTPRoute round-robin-route
