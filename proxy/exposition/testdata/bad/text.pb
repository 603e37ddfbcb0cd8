m 1
m 2
# this is no protobuf
