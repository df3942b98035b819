"""A plan that somebody edited, digests made right again: validate, approve and start look at it anew."""

import copy
import hashlib
import json
import os
import unittest

import testing

WORLD = "tests/golden/compile"
SIGNED = ["id", "kind", "tags", "up", "down", "transaction", "irreversible", "probe", "locks", "batch", "check", "of",
          "key", "columns", "current", "inverse", "for", "from"]


def canonical(value):
    """RFC 8785, for what plans hold."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def seal(plan):
    """The digests of what the plan says now, as docs/PLAN-FORMAT.md defines them."""
    parts = []
    for phase in plan["phases"]:
        for part in phase["services"]:
            steps = [{k: s[k] for k in SIGNED if k in s and (s[k] or k in ("transaction", "tags"))}
                     for s in part["steps"]]
            signed = {"fleet": plan["fleet"], "environment": plan["environment"], "plan": plan["id"],
                      "author": plan["author"], "phase": phase["phase"], "service": part["service"],
                      "instances": part["instances"], "catalog": part["catalog"], "steps": steps}
            if "health" in part:
                signed["health"] = part["health"]
            part["digest"] = sha256(canonical(signed))
            whole = dict(part, phase=phase["phase"], steps=[
                {k: v for k, v in s.items() if k not in ("what", "why")} for s in part["steps"]])
            parts.append(whole)
    head = {k: plan[k] for k in ("flotilla_plan", "id", "author", "fleet", "environment", "findings")}
    if plan.get("discharged"):
        head["discharged"] = plan["discharged"]
    head["change"] = sha256(json.dumps(plan["change"], separators=(",", ":"), ensure_ascii=False))
    plan["digest"] = sha256(canonical(dict(head, parts=parts)))
    return plan


class Recheck(testing.Case):
    def setUp(self):
        super().setUp()
        saved = [word for name in ("users", "orders") for word in
                 ("--catalog", f"{name}={testing.ROOT}/{WORLD}/{name}.json")]
        self.write("fleet.yaml", testing.read(f"{WORLD}/fleet.yaml"))
        self.plans = {}
        for name in ("rename", "widen", "several", "ddl"):
            run = self.flotilla("draft", f"{testing.ROOT}/{WORLD}/good/{name}.yaml", *saved, "--format", "json")
            self.plans[name] = json.loads(self.ok(run).out)

    def edited(self, name, edit):
        plan = copy.deepcopy(self.plans[name])
        steps = {s["id"]: s for phase in plan["phases"] for part in phase["services"] for s in part["steps"]}
        edit(steps, plan)
        return self.write("edited.json", json.dumps(seal(plan), ensure_ascii=False))

    def refused(self, name, edit, *expected):
        run = self.flotilla("validate", self.edited(name, edit))
        self.assertEqual(1, run.code, run)
        for words in expected:
            self.assertIn(words, run.err)

    def test_as_drafted(self):
        for name in self.plans:
            with self.subTest(name):
                self.ok(self.flotilla("validate", self.edited(name, lambda steps, plan: None)))

    @staticmethod
    def dropping(steps):
        return next(s for s in steps.values() if any("DROP COLUMN" in up for up in s.get("up", [])))

    def test_tags(self):
        for tags in (["additive"], ["contract"], ["neutral"]):
            with self.subTest(tags):
                self.refused("rename", lambda steps, _, tags=tags: self.dropping(steps).update(tags=tags),
                             "its statements are", "destructive", "which its tags")

    def test_a_step_that_was_added(self):
        def add(steps, plan):
            step = steps["expand/users/1"]
            step["up"] = step["up"] + ['ALTER TABLE "public"."users" DROP COLUMN "id"']
        self.refused("rename", add, "destructive", "drop-column", "nothing in the plan discharges it")

    def test_locks(self):
        def weak(steps, plan):
            steps["expand/users/1"]["locks"] = [{"relation": "public.users", "mode": "ACCESS SHARE"}]
        self.refused("rename", weak, "take ACCESS EXCLUSIVE on public.users")

    def test_proof_taken_out(self):
        def unproven(steps, plan):
            for phase in plan["phases"]:
                for part in phase["services"]:
                    for s in part["steps"]:
                        if s["kind"] == "verify":
                            s["check"] = "SELECT true"
        self.refused("rename", unproven, "rename-column", "nothing in the plan discharges it")

    def test_snapshot_and_proof_taken_out(self):
        def lost(steps, plan):
            for s in steps.values():
                if s["kind"] == "verify":
                    s["check"] = "SELECT true"
                if s["kind"] == "snapshot":
                    s["columns"] = ["id"]
        self.refused("widen", lost, "drop-column", "rename-column")

    def test_hidden_sql_is_unknown(self):
        def hide(steps, plan):
            steps["expand/users/1"]["up"] = ["DO $$ BEGIN EXECUTE current_setting('x.y'); END $$"]
        self.refused("rename", hide, "unknown")

    def test_a_way_back_that_destroys(self):
        def back(steps, plan):
            steps["expand/users/1"]["down"] = ['DROP TABLE "public"."users"']
        self.refused("rename", back, "drop-table: on the way back")

    def test_show_prints_what_discharged_what(self):
        path = self.edited("rename", lambda steps, plan: None)
        brief = self.ok(self.flotilla("show", path)).out
        self.assertIn("met: explicit-lock (budget), missing-lock-timeout (wait), rename-column (exchange)", brief)
        self.assertNotIn("two columns that were proven equal", brief)
        long = self.ok(self.flotilla("show", path, "--rules")).out
        self.assertIn('rename-column, by exchange: with "email", proven equal by contract/users/3; '
                      "word given in contract/users/2", long)
        self.assertIn("two columns that were proven equal, and kept so by a trigger", long)
        self.assertIn("way back: drop-column, by own: added by", long)
        shown = json.loads(self.ok(self.flotilla("show", path, "--format", "json")).out)
        self.assertIn({"step": "contract/users/4", "rule": "rename-column", "by": "exchange",
                       "proof": 'with "email", proven equal by contract/users/3; word given in contract/users/2'},
                      shown["discharged"])
        self.assertIn("rules met: ", self.ok(self.flotilla("show", path, "--format", "markdown")).out)

    def test_findings_are_shown_at_their_step(self):
        path = self.edited("ddl", lambda steps, plan: None)
        out = self.ok(self.flotilla("show", path, "--full")).out
        self.assertRegex(out, r"warning +drop-not-null: .user_id. may now be null")

    def test_approve_and_start_refuse_it(self):
        path = self.edited("rename", lambda steps, plan: self.dropping(steps).update(tags=["additive"]))
        for argv in (["approve", path, "--as", "ana@example.org", "--yes"], ["start", path, "--dry-run"]):
            with self.subTest(argv[0]):
                run = self.flotilla(*argv)
                self.assertEqual(1, run.code, run)
                self.assertIn("which its tags (additive) do not say", run.err)
        self.assertFalse([n for n in os.listdir(self.path("")) if n.endswith(".approvals")])


if __name__ == "__main__":
    unittest.main()
