"""What the tests share: labs of their own, a shell on the bastion, the guide's commands."""
