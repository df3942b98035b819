-- CreateTable
CREATE TABLE "User" ("id" BIGSERIAL NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
