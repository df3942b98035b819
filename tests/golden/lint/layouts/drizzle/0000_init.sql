CREATE TABLE "users" ("id" bigint PRIMARY KEY NOT NULL);
--> statement-breakpoint
CREATE INDEX "users_id" ON "users" ("id");
