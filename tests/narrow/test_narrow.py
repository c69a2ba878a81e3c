"""Two cells of the matrix of narrow links, in short: what narrow.py measures is asserted here by counts alone."""

import unittest

from narrow import Cell


class NarrowTest(unittest.TestCase):
    def run_cell(self, cell):
        self.addCleanup(cell.close)
        return cell.run()

    def test_a_birth_of_two_keep_alives_is_not_the_end(self):
        result = self.run_cell(Cell(96000, 50, "birth 1000", 3))
        self.assertIsNotNone(result["online_s"])
        self.assertEqual((result["lost_links"], result["births"]), (0, 1), result)

    def test_live_data_goes_between_a_backlog(self):
        result = self.run_cell(Cell(64000, 600, "backlog", 5, scale=0.08))
        self.assertEqual((result["lost_links"], result["missing"], result["twice"]), (0, 0, 0), result)
        self.assertLess(result["history_ahead"], 4000, result)


if __name__ == "__main__":
    unittest.main()
