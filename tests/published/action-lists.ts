/**
 * The action lists of published integrations: names and schemas as these programs register them, with values of one moment of the game
 * where a program computes them. Descriptions are ours.
 */
import type { JsonObject } from "../../src/core/json.ts";

export interface ActionList {
  /** The integration. */
  readonly game: string;
  readonly actions: readonly PublishedAction[];
}

export interface PublishedAction {
  readonly name: string;
  readonly schema?: JsonObject;
  /** The schema that Neuro gets, where the relay has to change it; null: none. */
  readonly changed?: JsonObject | null;
}

type Properties = Readonly<Record<string, JsonObject>>;

const text: JsonObject = { type: "string" };
const integer: JsonObject = { type: "integer" };
const number: JsonObject = { type: "number" };
const boolean: JsonObject = { type: "boolean" };
const ANY: JsonObject = { type: "object" };
const oneOf = (...values: readonly (string | number)[]): JsonObject => ({ enum: values });
const textOf = (...values: readonly string[]): JsonObject => ({ type: "string", enum: values });
const listOf = (items: JsonObject, more: JsonObject = {}): JsonObject => ({ type: "array", items, ...more });
const between = (minimum: number, maximum: number): JsonObject => ({ type: "integer", minimum, maximum });
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);
/** An object with these properties, all of them required unless `required` says otherwise. */
const object = (properties: Properties, required: readonly string[] = Object.keys(properties)): JsonObject => ({
  type: "object",
  properties,
  required,
});
const plain = (...names: readonly string[]): readonly PublishedAction[] => names.map((name) => ({ name }));
/** Actions by name, with the properties of their schema. */
const withObjects = (schemas: Readonly<Record<string, Properties>>): readonly PublishedAction[] =>
  Object.entries(schemas).map(([name, properties]) => ({ name, schema: object(properties) }));

const STEPS = [0, 1, 2, 3];
const ITEMS = ["Pistol", "Medical Gun", "Handcuffs", "Lucky Charm", "Alien Tongue (x2)"];
const COLONISTS = ["Neuro", "Evil", "Camila 'Cam' Ortiz", "Ōkami"];
const FILES = textOf("onLine", "selection", "document", "lastInFile");
const path: JsonObject = text;
const tile: Properties = { tile_x: integer, tile_y: integer };
const unique = { minItems: 2, maxItems: 4, uniqueItems: true };
const FIVE = ["Item 1", "Item 2", "Item 3", "Item 4", "Item 5"];
/** As many, and as long together, as the things of a large modded game: the schema has about 17 kB. */
const THINGS = Array.from({ length: 480 }, (_, at) => `Thing_WithAModdedDefinition${1_000 + at}`);
const ZONES = Array.from({ length: 597 }, (_, at) => `Continent_${at % 9}/Town_${at}`);

const POINT = { type: "object", required: ["x", "y"], properties: { x: between(0, 800), y: between(0, 600) } };
const COLOR = {
  type: "object",
  required: ["r", "g", "b"],
  properties: { r: between(0, 255), g: between(0, 255), b: between(0, 255), a: between(0, 255) },
};
const NESTED: Properties = {
  str_prop: text,
  int_prop: integer,
  null_prop: { enum: [null] },
  arr_prop: listOf(oneOf(...FIVE), unique),
};

const OBJECTS = [{ str_prop: "string" }, { int_prop: 42 }, { null_prop: null }];

export const ACTION_LISTS: readonly ActionList[] = [
  {
    game: "Tic Tac Toe",
    actions: withObjects({ play: { cell: oneOf("top left", "top middle", "center", "bottom right") } }),
  },
  {
    game: "Tic Tac Toe (neuro_api)",
    actions: upTo(9).map((cell) => ({ name: `play_${cell % 3}_${Math.floor(cell / 3)}` })),
  },
  {
    game: "Brotato",
    actions: [
      ...withObjects({
        character_info: { item: oneOf("Well Rounded", "Brawler", "Crazy", "Ranger") },
        choose_character: { item: oneOf("Well Rounded", "Brawler", "Crazy", "Ranger") },
        move_type: { move_type: oneOf("Random", "FleeFromEnemies", "CollectPickups", "MoveTo") },
        keep_item_or_recycle: { item: oneOf("keep", "recycle") },
        lock_item: { item: oneOf(...ITEMS) },
        choose_upgrade: { item: oneOf("Lungs III", "Fingers I") },
        move_to_location: {
          move_to_target: {
            type: "object",
            properties: {
              x: { type: "number", minimum: 0, maximum: 1280 },
              y: { type: "number", minimum: 0, maximum: 832.5 },
            },
          },
        },
        reroll_shop: {},
        go_next_wave: {},
      }),
    ],
  },
  {
    game: "UNO",
    actions: [{ name: "call_uno" }, ...withObjects({ play_card: { card: oneOf("Red 5", "Blue +2", "Wild +4") } })],
  },
  {
    game: "RimWorld",
    actions: [
      { name: "quick_start", schema: ANY },
      { name: "arm_colonists", schema: ANY },
      ...withObjects({
        set_research_project: { project_def_name: oneOf("Electricity", "Batteries", "DrugProduction") },
        arm_individually: { colonist_name: oneOf(...COLONISTS), weapon_name: oneOf("Gun_Revolver", "MeleeWeapon_Knife") },
        drop_pod_raid_random: {
          faction_choice: oneOf("Pirates (Hostile)", "Outlanders (Neutral)"),
          points: oneOf(100, 500, 1_000, 10_000),
          radius: oneOf(5, 10, 25),
        },
        force_mental_break: { colonist_name: oneOf(...COLONISTS), mental_break: oneOf("Berserk", "Inspired_Creativity") },
        set_colonist_draft_status: { colonist_name: oneOf(...COLONISTS), is_drafted: boolean },
        change_faction_relations: {
          faction_name: oneOf("Pirates"),
          new_relation_status: oneOf("Hostile", "Neutral", "Ally"),
        },
        fight: { colonist_name: oneOf(...COLONISTS), target_name: oneOf("Megasloth", "Raider 1") },
        change_weather: { weather_name: oneOf("Clear", "Fog", "DryThunderstorm") },
        forbid_item: { item_name: oneOf("Steel x75", "Wood x12"), forbid: boolean },
        manage_animal: { animal_pawn: oneOf("Muffalo", "Alpaca 2"), action_type: oneOf("Hunt", "Tame", "Slaughter") },
        set_work_priority: {
          colonist_name: oneOf(...COLONISTS),
          work_type: oneOf("Firefighter", "Doctor", "Cooking"),
          priority: { type: "integer", enum: [0, 1, 2, 3, 4] },
        },
      }),
      {
        name: "spawn_event",
        schema: object({ event_name: oneOf("give_quest", "meteorite"), material: oneOf("Steel", "Jade") }, ["event_name"]),
      },
      {
        name: "spawn_item",
        schema: object({ thing_def_name: oneOf(...THINGS), count: between(1, 5) }, ["thing_def_name"]),
      },
      {
        name: "spawn_pawn",
        schema: object({ pawn_kind_def_name: oneOf("Cat", "Thrumbo"), count: between(1, 5), name: text }, [
          "pawn_kind_def_name",
        ]),
      },
    ],
  },
  {
    game: "80 Days",
    actions: [
      ...plain(
        "focus_on_city",
        "close_luggage_window",
        "story_12_decision_0",
        "depart_on_journey",
        "close_credits",
        "skip_time",
      ),
      ...plain(
        "select_journey_to_paris",
        "embark_journey_to_new york",
        "prepare_luggage_for_departure",
        "buy_extra_storage_on_trip",
      ),
      ...withObjects({
        "buy_item_fez": {
          put_in_suitcase_number: oneOf(0, 1),
          put_in_row_number: oneOf(0, 1),
          // deno-lint-ignore project/retired-words -- Why: a name of that game.
          put_in_slot_number: oneOf(...STEPS),
        },
        "move_item_timetable": {
          move_to_suitcase_number: oneOf(0, 1),
          move_to_row_number: oneOf(0, 1),
          // deno-lint-ignore project/retired-words -- Why: a name of that game.
          move_to_slot_number: oneOf(...STEPS),
        },
      }),
    ],
  },
  { game: "Blue Prince", actions: withObjects({ pick_draft_option: { choice: oneOf("1", "2", "3") } }) },
  {
    game: "Library of Ruina",
    actions: [
      ...plain("end_turn", "remove_card_roland_0", "remove_card_binah_2"),
      ...withObjects({
        select_ego_card: { card: oneOf("Fourth Match Flame", "Penitence") },
        select_abnormality_page: { page: oneOf("Matchlight", "Footfalls") },
        abnormality_page_select_librarian: { librarian: oneOf("Roland", "Malkuth") },
        play_card_roland_0: {
          card: oneOf("Allegro", "Durandal"),
          target: oneOf("Rat A", "Rat B"),
          speed_dice_index: between(0, 0),
        },
      }),
    ],
  },
  {
    game: "The Farmer Was Replaced",
    actions: [
      ...plain("query_items", "query_drone", "query_upgrades"),
      { name: "query_world", schema: object({ tile_x: integer, tile_y: integer }, []) },
      { name: "query_builtin", schema: object({ option: oneOf("functions", "items") }, []) },
      { name: "deny_request", schema: object({ feedback: text }, []) },
      ...withObjects({
        get_documentation: { file: oneOf("docs/home.md", "docs/scripting/for.md") },
        create_toast: { text },
        write_patch: { text },
        get_window_code: { window: oneOf("main", "f0") },
        buy_research_box: { name: oneOf("Loops", "Carrots") },
        create_window: { name: { type: "string", minLength: 1, maxLength: 24 } },
      }),
    ],
  },
  {
    game: "Stardew Valley",
    actions: [
      ...plain(
        "open_inventory",
        "close_inventory",
        "refill_watering_can",
        "go_to_nearest_shipping",
        "grab_last_item",
        "exit_bin",
      ),
      ...plain(
        "close_chest",
        "stop_sitting",
        "randomize_name",
        "go_to_crafting",
        "exit_menu",
        "accept_quest",
        "close_shop",
      ),
      {
        name: "reply_to_chat",
        schema: object({ action: oneOf("public", "private"), message: text, private_player_name: oneOf("Vedal") }, [
          "action",
          "message",
        ]),
      },
      { name: "enter_building", schema: object({ pathfind: boolean }, ["path-find"]) },
      {
        name: "use_item",
        schema: object({ item: oneOf("Hoe", "Axe"), direction: oneOf("up", "down"), ...tile }, ["item", "direction"]),
      },
      { name: "get_objects_in_radius", schema: object({ radius: integer, excluded_names: listOf(text) }, ["radius"]) },
      {
        name: "interact_object",
        schema: object({ object_x: integer, object_y: integer, use_held_item: boolean }, ["object_x", "object_y"]),
      },
      { name: "buy_item", schema: object({ item_index: oneOf(...upTo(30)), amount: integer }, ["item_index"]) },
      ...withObjects({
        move_item: { item: integer, position: integer },
        remove_item: { item: oneOf(0, 4, 7), amount: integer, option: oneOf("bin", "drop") },
        attach_item: { item_to_attach: oneOf(...upTo(36)), attached_item: oneOf(...upTo(36)) },
        wait_for_time: { time: text },
        water_farm_land: { left_x: integer, top_y: integer, right_x: integer, bottom_y: integer },
        sell_items: { item_index: listOf(integer) },
        open_chest: { chest_position: oneOf("{X:64 Y:15}", "{X:65 Y:15}") },
        place_object: { object: oneOf("Chest", "Scarecrow"), ...tile },
        craft_item: { recipe: oneOf("Chest (50 Wood)", "Torch"), amount: integer },
        check_can_build: { ...tile, radius: integer },
        set_name: { name: text },
      }),
    ],
  },
  {
    game: "For The King",
    actions: [
      ...plain(
        "resume_game",
        "jump",
        "flee_combat",
        "revive_ally",
        "taunt",
        "change_weapon",
        "party_heal",
        "continue_message",
        "spin",
      ),
      ...withObjects({
        use_belt_item: { item: oneOf("Godsbeard", "Dancing Herb") },
        market_purchase: { item: oneOf("Iron Sword", "Tinder Pouch"), equip: boolean },
        send_msg: { action: { type: "string", maxLength: 40, pattern: "^[a-zA-Z0-9_ ]+$" } },
        attack_enemy: { ability: oneOf("Slash", "Shield Bash"), target: oneOf("Bandit 1", "Bandit 2") },
        choose_party_names: {
          names: listOf({ type: "string", pattern: "^[a-zA-Z]+( [a-zA-Z0-9_]+)*$" }, {
            minItems: 3,
            maxItems: 3,
            uniqueItems: true,
          }),
        },
        camera_zoom: { zoom: { type: "number", minimum: 20, maximum: 70 } },
      }),
    ],
  },
  {
    game: "Balatro",
    actions: [
      ...plain(
        "skip_pack",
        "get_poker_hand_information",
        "play_blind",
        "skip_blind",
        "exit_shop",
        "reroll_shop",
        "reroll_blind",
      ),
      ...withObjects({
        deck_info: { type: oneOf("suits", "ranks") },
        select_deck: { deck: oneOf("Red Deck", "Checkered Deck") },
        select_stake: { stake: oneOf("White Stake", "Gold Stake") },
        use_hand_cards: { card_action: oneOf("play", "discard"), cards_index: listOf({ type: "integer", enum: upTo(8) }) },
        interact_with_joker: {
          joker_action: oneOf("sell", "move"),
          cards_index: listOf({ type: "integer", enum: [1, 2] }),
        },
        use_consumeable: {
          card_action: oneOf("use", "sell"),
          consumable_index: oneOf(1, 2),
          cards_index: listOf({ type: "integer", enum: upTo(8) }),
        },
        buy_card: { action: oneOf("buy", "buy and use"), cards_index: oneOf(1, 2) },
        buy_voucher: { voucher_index: oneOf(1) },
      }),
    ],
  },
  {
    game: "Visual Studio Code",
    actions: [
      ...plain(
        "get_cursor",
        "undo",
        "save",
        "get_files",
        "init_git_repo",
        "git_status",
        "pull_git_commits",
        "abort_merge",
        "terminate_task",
      ),
      { name: "request_cookie", schema: { type: "object", properties: { flavor: text } } },
      {
        name: "replace_text",
        schema: object({ find: text, replaceWith: text, useRegex: boolean, match: FILES }, [
          "find",
          "replaceWith",
          "match",
        ]),
      },
      { name: "delete_file_or_folder", schema: object({ path, recursive: boolean }, ["path"]) },
      {
        name: "make_git_commit",
        schema: object({ message: text, options: listOf(textOf("signoff", "verbose", "amend")) }, ["message"]),
      },
      { name: "git_log", schema: { type: "object", properties: { log_limit: { type: "integer", minimum: 1 } } } },
      {
        name: "diff_files",
        schema: {
          type: "object",
          properties: { ref1: text, ref2: text, filePath: path, diffType: textOf("diffWithHEAD", "diffWith", "fullDiff") },
        },
      },
      ...withObjects({
        place_cursor: { line: integer, column: integer, type: textOf("relative", "absolute") },
        insert_text: { text },
        rename_file_or_folder: { oldPath: path, newPath: path },
        add_file_to_git: { filePath: listOf(path, { minItems: 1, uniqueItems: true }) },
        set_git_config: { key: text, value: text },
        execute_in_terminal: { command: text, shell: textOf("bash", "fish") },
      }),
    ],
  },
  {
    game: "Pokémon Showdown",
    actions: [
      { name: "rematch", schema: ANY },
      { name: "forfeit", schema: ANY },
      { name: "activate_special", schema: ANY },
      ...withObjects({
        accept_challenge: { opponent: oneOf("vedal987"), format: oneOf("[Gen 9] Random Battle") },
        select_move: { move: textOf("Thunderbolt", "U-turn", "King's Shield") },
        swap_pokemon: { pokemon: textOf("Farfetch’d", "Type: Null") },
        select_target: { target: oneOf("Pikachu", "Flabébé") },
        send_message: { message: text },
      }),
    ],
  },
  {
    game: "Ren'Py",
    actions: withObjects({
      select_dialogue_option: { option: textOf("Ask her right away.", '"Ask" her later…') },
      input_text: { input: text },
      press_button: { button: textOf("Save", "Skip", "Auto") },
    }),
  },
  {
    game: "Buckshot Roulette",
    actions: [
      ...plain("pickup_shotgun"),
      ...withObjects({
        shoot: { player: oneOf("self", "DEALER") },
        use_item: { item: oneOf("saw", "cigarettes") },
        place_items: {},
      }),
    ],
  },
  {
    game: "StarCraft II",
    actions: withObjects({
      train_units: { unit: textOf("Marine", "Medic"), count: between(1, 20) },
      attack_wave: { delay: { type: "number", minimum: 0, maximum: 12.5 }, is_silent: boolean },
      name_squad: { name: { type: "string", pattern: "[A-Z][a-z]{2,9}( (I|II|III))?" } },
    }),
  },
  {
    game: "Baldur's Gate 3",
    actions: upTo(4).map((at) => ({ name: `choose_dialogue_${at}`, schema: { type: "object", properties: {} } })),
  },
  {
    game: "Neuro Paint",
    actions: [
      {
        name: "draw_line",
        schema: { type: "object", required: ["start", "end"], properties: { start: POINT, end: POINT } },
      },
      {
        name: "draw_lines",
        schema: {
          type: "object",
          required: ["points", "closed"],
          properties: { points: listOf(POINT, { minItems: 3 }), closed: boolean },
        },
      },
      {
        name: "draw_circle",
        schema: {
          type: "object",
          required: ["center", "radius"],
          properties: { center: POINT, radius: { type: "integer", exclusiveMinimum: 0, maximum: 800 } },
        },
      },
      {
        name: "draw_triangle",
        schema: {
          type: "object",
          required: ["center", "radius", "rotation"],
          properties: {
            center: POINT,
            size: { type: "integer", exclusiveMinimum: 0, maximum: 800 },
            rotation: { type: "number", minimum: 0, exclusiveMaximum: 120 },
          },
        },
      },
      { name: "set_brush_color", schema: object({ color: textOf("black", "red", "rebecca purple") }) },
      { name: "set_custom_brush_color", schema: object({ color: COLOR }) },
    ],
  },
  {
    game: "Neuro Clock",
    actions: [
      { name: "get_current_time", schema: object({ timezone: textOf(...ZONES), format: text }) },
      { name: "get_unix_timestamp", schema: object({ timezone: textOf(...ZONES), timestamp: text }) },
    ],
  },
  {
    game: "JSON Schema Test",
    actions: [
      { name: "prim_str", schema: text },
      { name: "prim_int", schema: integer },
      { name: "prim_bool", schema: boolean },
      { name: "prim_null", schema: { type: "null" }, changed: null },
      { name: "enum_null", schema: { enum: [null] } },
      { name: "const_null", schema: { const: null } },
      { name: "const_str", schema: { const: "Hello!" } },
      { name: "array_empty", schema: listOf({ enum: [null] }) },
      { name: "array_unique", schema: listOf(oneOf(...FIVE), unique) },
      { name: "complex_obj", schema: object({ ...NESTED, obj_prop: object({ ...NESTED, obj_prop: object({}) }) }) },
      { name: "array_of_obj", schema: listOf(object({ str_prop: text, int_prop: integer }), unique) },
      { name: "enum_primitive", schema: { enum: ["string", 42, true] } },
      { name: "enum_obj", schema: { enum: OBJECTS }, changed: { enum: OBJECTS, type: "object" } },
      {
        name: "str_extra",
        schema: object({
          freeform: text,
          bounds: { type: "string", minLength: 5, maxLength: 10 },
          pattern: { type: "string", pattern: "^[a-z]+$" },
          "format-datetime": { type: "string", format: "date-time" },
        }),
      },
      {
        name: "num_extra",
        schema: object({
          freeform: number,
          "bounds-inclusive": { type: "number", minimum: 5, maximum: 10 },
          "bounds-exclusive": { type: "number", exclusiveMinimum: 5, exclusiveMaximum: 10 },
          integer,
          "int-step": { type: "integer", multipleOf: 2 },
          "float-step": { type: "number", multipleOf: 0.5 },
        }),
      },
      {
        name: "mean_test",
        schema: object({
          oneOf: {
            enum: [{ $ref: null, type: "object", properties: { anyOf: { type: "null" }, "<lr>hello</>": "<test>\\" } }],
          },
          "a bug #1": { type: "integer", maximum: -1 },
          "": { type: "integer", minimum: 10_000.5 },
        }),
      },
      { name: "no_schema" },
      {
        name: "html_inject",
        schema: object({ "<u>underline</u>": { type: "string", default: "<marquee>test</marquee>" } }),
      },
      {
        name: "optional_props",
        schema: object({
          optional_prop: text,
          required_prop: text,
          optional_obj: object({ str_prop: text, int_prop: integer, null_prop: { const: null } }, ["null_prop"]),
        }, ["required_prop"]),
      },
      {
        name: "negative_numbers",
        schema: object({
          constrained_int: between(-1_000, -1),
          constrained_float: { type: "number", minimum: -1_000, maximum: -1, step: 0.1 },
          free_int_negative: integer,
          free_float_negative: number,
        }),
      },
    ],
  },
];
