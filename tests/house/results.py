"""scripts/test counts what ctest did, and names what was skipped: ctest on a test of each kind, read by scripts/test-results."""

import pathlib
import subprocess
import sys
import tempfile

ROOT, CTEST = sys.argv[1:]

TESTS = """
add_test(good sh -c "true")
add_test(bad sh -c "false")
add_test(absent /nonexistent/program)
add_test(slow sh -c "exec sleep 60")
set_tests_properties(slow PROPERTIES TIMEOUT 1)
add_test(part sh -c "echo Running; echo 'SKIPPED: a_full_disk: no right to mount'; echo 100%")
add_test(whole sh -c "echo 'SKIPPED, nothing was tested: no peers'; exit 77")
add_test(silent sh -c "exit 77")
set_tests_properties(whole silent PROPERTIES SKIP_RETURN_CODE 77)
add_test(off sh -c "true")
set_tests_properties(off PROPERTIES DISABLED ON)
"""

EXPECTED = """\
passed
failed
failed
failed
passed
skipped\tpart: a_full_disk\tno right to mount
skipped\twhole\tno peers
skipped\tsilent\tSKIP_RETURN_CODE=77
skipped\toff\tDisabled
"""

with tempfile.TemporaryDirectory() as scratch:
    (pathlib.Path(scratch) / "CTestTestfile.cmake").write_text(TESTS)
    subprocess.run([CTEST, "--test-dir", scratch, "--output-junit", f"{scratch}/junit.xml", "--test-output-size-passed", "100000"],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    said = subprocess.run([pathlib.Path(ROOT) / "scripts/test-results", f"{scratch}/junit.xml"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
if said != EXPECTED:
    sys.exit(f"scripts/test-results said:\n{said}and should have said:\n{EXPECTED}")
