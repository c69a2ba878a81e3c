# The capture engine, file by file; captures as a whole are in cli/test_capture.py.
if(SPB_BUILD_CLI)
    foreach(name frame stream mqtt_packet judge http websocket talk forward connections capture)
        spb_unit_test(${name} capture)
    endforeach()
endif()
