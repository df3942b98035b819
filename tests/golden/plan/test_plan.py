"""Plans on the command line: shown, compared, signed, refused.

widen.yaml, widen2.yaml and empty.yaml are what tests/unit/test_plan.c builds and writes.
"""

import glob
import json
import os
import shutil
import subprocess
import re
import time
import unittest

import jsonschema
import yaml

import testing

HERE = os.path.join(testing.ROOT, "tests/golden/plan")
ANA, RAJ, KIM = "ana@example.org", "raj@example.org", "kim@example.org"

MANIFEST = f"""version: 1
fleet: shop
environments: [production]
owners:
  team: {{ members: [{RAJ}, {KIM}] }}
  others: {{ members: [{ANA}, {KIM}] }}
services:
""" + "".join(f"""  {name}:
    owners: [{owner}]
    instances: {{ production: [{{ name: {name}-1, host: db-{name} }}] }}
""" for name, owner in (("users", "team"), ("orders", "team"), ("billing", "others")))


class Plan(testing.Case):
    def setUp(self):
        super().setUp()
        for name in ("widen", "widen2", "empty"):
            shutil.copy(f"{HERE}/{name}.yaml", self.path(name + ".yaml"))

    def key(self, name):
        path = self.path(name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        return path

    def fleet(self, *signers):
        """A manifest; each signer gets a key that allowed_signers lists."""
        self.write("fleet.yaml", MANIFEST)
        lines = ""
        for signer in signers:
            with open(self.key("key-" + signer) + ".pub", encoding="utf-8") as file:
                lines += f'{signer} namespaces="flotilla" {file.read()}'
        self.write("allowed_signers", lines)

    def approve(self, signer, *more, plan="widen.yaml", key=None):
        return self.flotilla("approve", plan, "--as", signer, "--key", key or "key-" + signer, *more)

    def refused(self, result, *texts):
        self.assertEqual(1, result.code, result.out)
        for text in texts:
            self.assertIn(text, result.err)

    def files(self):
        return sorted(os.path.basename(p) for p in glob.glob(self.path("widen.approvals/*")))


class Show(Plan):
    def test_text(self):
        brief = self.ok(self.flotilla("show", "widen.yaml")).out
        full = self.ok(self.flotilla("show", "widen.yaml", "--phase", "expand", "--service", "orders")).out
        self.golden("tests/golden/plan/show.txt", brief + "-" * 80 + "\n" + full)
        self.assertNotIn("\u202e", brief + full)
        self.assertEqual(brief.count("expand/"), 10)

    def test_markdown(self):
        self.golden("tests/golden/plan/show.md",
                    self.ok(self.flotilla("show", "widen.yaml", "--service", "orders", "--format", "markdown")).out)

    def test_json_and_yaml_are_the_plan(self):
        shown = self.ok(self.flotilla("show", "widen.yaml", "--format", "json")).out
        self.ok(self.flotilla("validate", self.write("again.json", shown)))
        self.assertEqual(0, self.flotilla("diff", "widen.yaml", "again.json").code)
        plain = self.ok(self.flotilla("show", "again.json", "--format", "yaml")).out
        self.assertEqual(testing.read("tests/golden/plan/widen.yaml"), plain)
        # other programs read the same from the file
        self.assertEqual(json.loads(shown), yaml.safe_load(plain))

    def test_schema(self):
        schema = json.loads(testing.read("schemas/plan.schema.json"))
        jsonschema.Draft202012Validator.check_schema(schema)
        judge = jsonschema.Draft202012Validator(schema)
        for name in ("widen", "widen2", "empty"):
            plan = json.loads(self.ok(self.flotilla("show", name + ".yaml", "--format", "json")).out)
            judge.validate(plan)
        # whatever key is added or taken away, schema and reader agree
        plan = json.loads(self.ok(self.flotilla("show", "widen.yaml", "--format", "json")).out)
        part = plan["phases"][0]["services"][0]
        judged = 0
        for holder in (plan, part, part["approvals"], part["steps"][0], part["steps"][0]["locks"][0],
                       part["steps"][1]["batch"], plan["findings"][0]):
            for key in list(holder) + ["colour"]:
                kept = holder.pop(key, None)
                if kept is None:
                    holder[key] = "blue"
                result = self.flotilla("validate", self.write("bent.json", json.dumps(plan)))
                # digests and kinds are beyond a schema: a file may be sound and still be refused
                sound = result.code == 0 or "digest says" in result.err or " needs " in result.err
                self.assertEqual(judge.is_valid(plan), sound, f"{key}: {result.err}")
                judged += 1
                holder.pop(key, None)
                if kept is not None:
                    holder[key] = kept
        self.assertGreater(judged, 40)

    def test_what_is_not_there(self):
        self.refused(self.flotilla("show", "widen.yaml", "--service", "shipping"),
                     "no part for service shipping", "there are: users, orders")
        self.refused(self.flotilla("show", "widen.yaml", "--phase", "migrate"), "no part in migrate")
        self.refused(self.flotilla("show", "nowhere.yaml"), "No such file")
        self.refused(self.flotilla("show", "widen.yaml", "--service", "user"), 'did you mean "users"?')
        self.assertIn("nothing to do", self.ok(self.flotilla("show", "empty.yaml")).out)

    def test_a_file_of_another_kind(self):
        self.write("change.yaml", "title: x\nintents: []\n")
        self.refused(self.flotilla("show", "change.yaml"), "change.yaml is a change, not a plan", "flotilla draft")
        self.refused(self.flotilla("draft", "widen.yaml"), "widen.yaml is a plan, not a change", "flotilla show")
        self.refused(self.flotilla("doctor", "--manifest", "widen.yaml"), "widen.yaml is a plan, not a manifest")

    def test_who_looks_leaves_nothing(self):
        for command in (["status"], ["watch"], ["logs"], ["promote"], ["rollback", "--dry-run"]):
            self.refused(self.flotilla(*command), "there is no rollout here", "--manifest or --state")
        self.refused(self.flotilla("status", "--state", "postgresql://h/d"), "keeps its state in a folder")
        self.assertEqual([], [f for f in os.listdir() if f == ".flotilla" or f.startswith("postgresql")])

    def test_tampered(self):
        text = testing.read("tests/golden/plan/widen.yaml").replace("SELECT 1", "DROP ALL", 1)
        bad = self.write("bad.yaml", text)
        for command in (["show"], ["validate"], ["diff", "widen.yaml"]):
            result = self.flotilla(*command, bad)
            self.refused(result, "bad.yaml:", "expand of users is not what its digest says")
        self.refused(self.approve(RAJ, plan=bad, key=self.key("key")), "is not what its digest says")


class Diff(Plan):
    def test_equal(self):
        result = self.ok(self.flotilla("diff", "widen.yaml", "widen.yaml"))
        self.assertEqual("the plans do the same\n", result.out)

    def test_different(self):
        result = self.flotilla("diff", "widen.yaml", "widen2.yaml")
        self.assertEqual(2, result.code)
        self.golden("tests/golden/plan/diff.txt", result.out)
        result = self.flotilla("diff", "widen.yaml", "widen2.yaml", "--format", "json")
        self.assertEqual(2, result.code)
        kinds = [(d["change"], d["phase"], d["service"], d["drops_approvals"]) for d in json.loads(result.out)]
        self.assertEqual([("removed", "expand", "billing", True), ("changed", "expand", "orders", True),
                          ("changed", "contract", "users", False)], kinds)

    def test_unreadable(self):
        self.refused(self.flotilla("diff", "widen.yaml", self.write("x.yaml", "a: 1\n")), "x.yaml:1:1")
        self.refused(self.flotilla("diff", "widen.yaml"), "which two plans")


class Approve(Plan):
    def test_with_plan_and_key_alone(self):
        key = self.key("mine")
        result = self.ok(self.approve(RAJ, "--service", "orders", key=key))
        self.assertEqual(["expand.orders." + RAJ + ".sig"], self.files())
        self.assertIn("SELECT 1;", result.out)  # what is signed was printed
        part = yaml.safe_load(testing.read("tests/golden/plan/widen.yaml"))["phases"][0]["services"][1]
        with open(self.path("widen.approvals/" + self.files()[0]), encoding="utf-8") as file:
            text = file.read().partition("-----END SSH SIGNATURE-----\n")[2]
        lines = text.split("\n")
        self.assertEqual(["flotilla-approval-v1", "shop", "production", "7f3c", "expand", "orders",
                          part["digest"], RAJ], lines[:8])
        # ssh-keygen alone can check it
        with open(key + ".pub", encoding="utf-8") as file:
            self.write("signers", f"{RAJ} {file.read()}")
        done = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", self.path("signers"), "-I", RAJ,
                               "-n", "flotilla", "-s", self.path("widen.approvals/" + self.files()[0])],
                              input=text, text=True, capture_output=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        shown = self.ok(self.flotilla("show", "widen.yaml")).out
        self.assertIn("approvals  1 from team; signature files of " + RAJ, shown)
        # of a plan whose part changed it is no signature any more
        shutil.copy(self.path("widen2.yaml"), self.path("widen.yaml"))
        self.assertNotIn("signature files", self.ok(self.flotilla("show", "widen.yaml")).out)

    def test_with_the_manifest_only_what_is_theirs(self):
        self.fleet(RAJ, KIM)
        self.ok(self.approve(RAJ))
        self.assertEqual(["contract.users." + RAJ + ".sig", "expand.orders." + RAJ + ".sig",
                          "expand.users." + RAJ + ".sig"], self.files())
        self.ok(self.approve(KIM, "--phase", "expand", "--service", "billing"))
        self.assertIn("expand.billing." + KIM + ".sig", self.files())
        self.assertTrue(os.path.exists(self.path(".flotilla")))

    def test_refuses_what_would_not_count(self):
        self.fleet(RAJ)
        self.refused(self.approve("eve@example.org", key=self.key("eve")),
                     "eve@example.org may not approve any of these parts", RAJ)
        self.refused(self.approve(RAJ, "--service", "billing"), "may not approve any of these parts", ANA)
        self.refused(self.approve(RAJ, key=self.key("other")), "does not list for that name")
        self.refused(self.approve(RAJ, key=self.path("nowhere")), "there is no key", "--key FILE")
        self.refused(self.approve("a b", key=self.key("ab")), "may not approve")
        self.refused(self.approve(RAJ, plan="empty.yaml"), "nothing to approve")
        os.remove(self.path("allowed_signers"))
        self.refused(self.approve(RAJ), "allowed_signers: there is no such file")
        self.assertEqual([], self.files())
        self.refused(self.flotilla("approve", "widen.yaml"), "who signs")

    def test_refuses_another_fleet(self):
        self.fleet(RAJ)
        self.write("fleet.yaml", MANIFEST.replace("fleet: shop", "fleet: shed"))
        self.refused(self.approve(RAJ), "the plan is for the fleet shop", "is shed")

    def test_odd_names_stay_in_the_folder(self):
        self.ok(self.approve("../../x", "--service", "orders", key=self.key("odd")))
        self.assertEqual(["expand.orders.%2E.%2F..%2Fx.sig"], self.files())

    def test_import(self):
        key = self.key("early")
        self.ok(self.approve(RAJ, "--service", "orders", key=key))
        self.refused(self.flotilla("approve", "widen.yaml", "--import"), "no manifest here")
        self.fleet(RAJ)
        result = self.flotilla("approve", "widen.yaml", "--import")
        self.refused(result, "none of the 1 signature files")
        self.assertIn("expand of orders: left out: " + RAJ + " signed with a key that", result.out)
        self.assertIn("0 signatures taken", result.out)
        with open(key + ".pub", encoding="utf-8") as file:
            self.write("allowed_signers", f"{RAJ} {file.read()}")
        result = self.ok(self.flotilla("approve", "widen.yaml", "--import"))
        self.assertIn("expand of orders: taken, signed by " + RAJ, result.out)
        self.assertIn("1 signature taken", result.out)

    def test_import_says_what_became_of_every_file(self):
        self.fleet(RAJ)
        self.ok(self.approve(RAJ, "--service", "orders", "--phase", "expand"))
        path = f"widen.approvals/expand.orders.{RAJ}.sig"
        with open(self.path(path), encoding="utf-8") as file:
            good = file.read()
        digest = re.search("sha256:(.)", good)
        for content, why in [("hello\n", "is no approval"), ("", "is no approval"),
                             (good.replace(digest.group(0), "sha256:" + "01"[digest.group(1) == "0"]),
                              "it signs no part of this plan")]:
            with self.subTest(why):
                self.write(path, content)
                result = self.flotilla("approve", "widen.yaml", "--import")
                self.assertEqual(1, result.code)
                self.assertIn(f"{path}: left out: {why}", result.out)

    def test_full_folder_is_an_error(self):
        self.write("widen.approvals", "a file where the folder belongs\n")
        self.refused(self.approve(RAJ, "--service", "orders", key=self.key("k")), "widen.approvals")


class Reject(Plan):
    def test_rejects_and_withdraws(self):
        self.fleet(RAJ)
        result = self.ok(self.flotilla("reject", "widen.yaml", "--as", RAJ, "--phase", "expand",
                                       "--reason", "not before the sale"))
        self.assertEqual(f"rejected expand of users as {RAJ}\nrejected expand of orders as {RAJ}\n", result.out)
        result = self.ok(self.flotilla("reject", "widen.yaml", "--as", RAJ, "--service", "users",
                                       "--phase", "expand", "--withdraw"))
        self.assertEqual(f"withdrawn: the rejection of expand of users as {RAJ}\n", result.out)
        self.refused(self.flotilla("reject", "widen.yaml", "--as", RAJ, "--phase", "contract", "--withdraw"),
                     "has not rejected any of these parts")

    def test_an_older_signature_takes_no_rejection_back(self):
        self.fleet(RAJ)
        self.ok(self.approve(RAJ, "--service", "orders"))
        path = self.path("widen.approvals/expand.orders." + RAJ + ".sig")
        time.sleep(1.1)  # signatures are dated to the second
        of = ("widen.yaml", "--as", RAJ, "--service", "orders", "--phase", "expand")
        self.ok(self.flotilla("reject", *of, "--reason", "on second thought"))
        self.assertIn("1 signature taken", self.ok(self.flotilla("approve", "widen.yaml", "--import")).out)
        self.assertTrue(os.path.exists(path))
        self.ok(self.flotilla("reject", *of, "--withdraw"))
        self.ok(self.flotilla("reject", *of, "--reason", "once more"))
        self.ok(self.approve(RAJ, "--service", "orders"))
        self.refused(self.flotilla("reject", *of, "--withdraw"), "has not rejected")

    def test_refuses(self):
        self.refused(self.flotilla("reject", "widen.yaml", "--as", RAJ, "--reason", "x"), "no manifest here")
        self.fleet(RAJ)
        self.refused(self.flotilla("reject", "widen.yaml", "--as", RAJ), "why? --reason")
        self.refused(self.flotilla("reject", "widen.yaml", "--reason", "x"), "who rejects?")
        self.refused(self.flotilla("reject", "widen.yaml", "--as", ANA, "--reason", "x", "--service", "users"),
                     "may not approve any of these parts")


if __name__ == "__main__":
    unittest.main()
