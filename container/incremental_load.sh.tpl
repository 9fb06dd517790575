# Not used: NAME of a container_image is no script. Rules written for rules_docker name this file.
