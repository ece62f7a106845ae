/* Nodes and Pods in few words, for tables about where Pods go. */
#ifndef PODWIRE_TESTS_PLACING_H
#define PODWIRE_TESTS_PLACING_H

#define NODE(name, labels, more)   "{apiVersion: v1, kind: Node, metadata: {name: " name ", labels: {" labels "}}, " more "}\n---\n"
#define ROOM(cpu, more)            "status: {allocatable: {cpu: '" cpu "', memory: 8Gi, pods: '110'" more "}}"
#define POD(name, labels, spec)    "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {" labels "}}, spec: {" spec "}}\n---\n"
#define ASKS(amounts)              "containers: [{name: c, image: i, resources: {requests: {" amounts "}}}]"
#define PLAIN                      "containers: [{name: c, image: i}]"
#define ON(name, labels, node)     POD(name, labels, "nodeName: " node ", " PLAIN)

#endif
