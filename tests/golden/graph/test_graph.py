"""Graphs from saved catalogs: every source of edges, with its evidence, in every form of output.

users.json, orders.json, billing.json are catalogs; fleet.yaml declares what no catalog can show, some
of it wrongly. UPDATE=1 rewrites the expected files after a look at the difference.
"""

import json
import os
import unittest

import jsonschema

import testing

HERE = "tests/golden/graph"
CATALOGS = ["users", "orders", "billing"]


class Graph(testing.Case):
    schema = jsonschema.Draft202012Validator(json.loads(testing.read("schemas/graph.schema.json")))

    def graph(self, *arguments, manifest=True, **options):
        folder = os.path.join(testing.ROOT, HERE)
        if manifest:
            self.write("fleet.yaml", testing.read(f"{HERE}/fleet.yaml"))
        saved = [word for name in CATALOGS for word in ("--catalog", f"{name}={folder}/{name}.json")]
        return self.flotilla("graph", *saved, *arguments, **options)

    def test_tree(self):
        run = self.ok(self.graph(env={"LC_ALL": "C.UTF-8"}))
        self.golden(f"{HERE}/expected/tree.txt", run.out)
        plain = self.ok(self.graph(env={"LC_ALL": "C"})).out
        self.assertTrue(plain.isascii())
        self.assertEqual(plain.count("\n"), run.out.count("\n"))

    def test_json(self):
        out = self.ok(self.graph("--format", "json")).out
        self.golden(f"{HERE}/expected/graph.json", out)
        graph = json.loads(out)
        self.schema.validate(graph)
        ids = {node["id"] for node in graph["nodes"]}
        for edge in graph["edges"]:
            self.assertIn(edge["from"].split("(")[0], ids)
            self.assertIn(edge["to"].split("(")[0], ids)
            self.assertTrue(0 < edge["confidence"] <= 100, edge)
            self.assertTrue(edge["evidence"], edge)

    def test_suggestions(self):
        plain = json.loads(self.ok(self.graph("--format", "json")).out)["edges"]
        more = json.loads(self.ok(self.graph("--format", "json", "--suggest")).out)["edges"]
        self.assertEqual(plain, [e for e in more if e["kind"] != "suggested"])
        self.assertEqual(
            [("billing:invoices(billing_user_id)", "users:users(id)", 40),
             ("orders:orders(invoice_id)", "billing:invoices(id)", 70)],
            sorted((e["from"], e["to"], e["confidence"]) for e in more if e["kind"] == "suggested"))

    def test_pictures(self):
        self.golden(f"{HERE}/expected/graph.dot", self.ok(self.graph("--format", "dot")).out)
        self.golden(f"{HERE}/expected/graph.mmd", self.ok(self.graph("--format", "mermaid")).out)

    def test_svg(self):
        self.assertIn("</svg>", self.ok(self.graph("--format", "svg")).out)

    def test_svg_needs_a_program(self):
        run = self.graph("--format", "svg", env={"PATH": self.folder})
        self.assertEqual(1, run.code)
        self.assertIn("graphviz", run.err)

    def test_impact(self):
        run = self.ok(self.graph("--impact", "users:users(email)", env={"LC_ALL": "C.UTF-8"}))
        self.golden(f"{HERE}/expected/impact.txt", run.out)
        found = json.loads(self.ok(self.graph("--impact", "users:users(email)", "--format", "json")).out)
        self.schema.validate(found)
        self.assertEqual("users:users(email)", found["object"])
        dependents = {edge["from"] for edge in found["edges"]}
        self.assertIn("orders:order_mails", dependents)  # through the foreign table
        self.assertNotIn("users:sessions(user_id)", dependents)

    def test_impact_of_what_is_not_there(self):
        for wish, hint in [("users:users(emial)", 'did you mean "users:users(email)"'),
                           ("users:user", 'did you mean "users:users"'),
                           ("user:users", 'did you mean "users"'),
                           ("users", "SERVICE:TABLE")]:
            run = self.graph("--impact", wish)
            self.assertEqual(1, run.code, run.out)
            self.assertIn(hint, run.err)

    def test_without_a_manifest(self):
        edges = json.loads(self.ok(self.graph("--format", "json", manifest=False)).out)["edges"]
        self.assertFalse([e for e in edges if e["kind"] in ("reference", "consume")])
        self.assertTrue([e for e in edges if e["kind"] == "foreign_table"])

    def test_two_catalogs_of_one_service(self):
        path = os.path.join(testing.ROOT, HERE, "users.json")
        run = self.flotilla("graph", "--catalog", path, "--catalog", path)
        self.assertEqual(1, run.code)
        self.assertIn("SERVICE=FILE", run.err)

    def test_catalogs_fit_their_schema(self):
        schema = json.loads(testing.read("schemas/catalog.schema.json"))
        for name in CATALOGS:
            jsonschema.validate(json.loads(testing.read(f"{HERE}/{name}.json")), schema)


if __name__ == "__main__":
    unittest.main()
