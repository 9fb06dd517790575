rem Not used: container_push makes no script. Rules written for rules_docker name this file.
