spb_unit_test(secret transport)
spb_unit_test(mqtt transport support/broker.c support/mqtt_client.c support/names.c)
# paho takes up to a second to look at a new connection, and a tenth to end its threads; there are hundreds of both.
set_tests_properties(unit/mqtt PROPERTIES TIMEOUT 400)

foreach(part fence 5 tls names sni reset)
    spb_unit_test(mqtt_${part} transport support/broker.c support/mqtt_client.c support/names.c)
    set_tests_properties(unit/mqtt_${part} PROPERTIES TIMEOUT 400)
endforeach()
