"""From Ingress to the Gateway API: :func:`convert` writes the routes, and says by name what they cannot say.

An Ingress has a host and a path; whatever else its controller does stands in annotations, which are that controller's
own language. Here that of ingress-nginx is read
(https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/), and written as HTTPRoutes with
Envoy Gateway's policies. No annotation is passed over: for each there is a :class:`Remark`, that it was converted, that
it was but differs, or that it has no equivalent, and why.
"""

from calico_lab.lessons.ingress_conversion.conversion import Conversion, convert, of_cluster
from calico_lab.lessons.ingress_conversion.remarks import Outcome, Remark

__all__ = ["Conversion", "Outcome", "Remark", "convert", "of_cluster"]
