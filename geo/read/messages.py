"""The readers' sentences, Chinese and English: what is wrong and what to do."""

from __future__ import annotations

from geo.messages import SENTENCES, register

_FILES = {
    "file_missing": (
        "找不到这个文件。请检查文件名和路径。",
        "there is no such file. Check its name and folder.",
    ),
    "is_folder": (
        "这是文件夹,不是数据文件。请指定其中的文件。",
        "this is a folder. Name a file in it.",
    ),
    "file_too_large": (
        "文件有 {megabytes} MB,超过上限 {limit} MB,未读取。请按乡镇拆分后再读。",
        "the file has {megabytes} MB, more than the limit of {limit} MB; it was not read. Split it "
        "by township.",
    ),
    "empty_file": (
        "文件是空的。请重新导出或重新上传。",
        "the file is empty. Export or upload it again.",
    ),
    "no_rows": (
        "没有任何数据行。请检查导出时是否选中了数据。",
        "it holds no rows. Check what was selected when it was exported.",
    ),
    "cut_off": (
        "文件不完整(末尾被截断)。请重新复制或上传。",
        "the file is cut off at the end. Copy or upload it again.",
    ),
    "unreadable": (
        "文件已损坏,无法读取({reason})。请在原软件中重新导出。",
        "the file is damaged and cannot be read ({reason}). Export it again from its program.",
    ),
    "not_what_name_says": (
        "内容与扩展名 {kind} 不符。请确认文件来源,或重新导出。",
        "the content does not match the name's ending {kind}. Check where it comes from or export "
        "it again.",
    ),
    "points_elsewhere": (
        "这个文件指向其他文件或网址,不予接受。请上传数据本身。",
        "it points to other files or addresses and is not accepted. Give the data itself.",
    ),
    "web_page": (
        "这是网页,不是地图数据。下载可能失败了,请重新下载。",
        "this is a web page, not map data. The download may have failed; fetch it again.",
    ),
    "xml_unknown": (
        "这是 XML,但不是 KML。请导出为 KML、GeoPackage 或 Shapefile。",
        "this is XML but not KML. Export it as KML, GeoPackage or Shapefile.",
    ),
    "xml_damaged": (
        "第 {line} 行的 XML 有错误。请重新导出。",
        "the XML is damaged at line {line}. Export it again.",
    ),
    "xml_entities": (
        "文件含有 XML 实体声明,不予接受。请用常用软件重新导出。",
        "it declares XML entities and is not accepted. Export it again with a usual program.",
    ),
    "json_damaged": (
        "第 {line} 行的 JSON 有错误。请重新导出。",
        "the JSON is damaged at line {line}. Export it again.",
    ),
    "json_not_map": (
        "JSON 中没有要素。请导出为 GeoJSON 或 TopoJSON。",
        "the JSON holds no features. Export it as GeoJSON or TopoJSON.",
    ),
    "json_key_twice": (
        "同一对象中有重复的键:{keys}。无法判断哪个正确,请修改后再读。",
        "keys appear twice in one object: {keys}. Nobody can tell which is right; correct it.",
    ),
    "too_deep": (
        "嵌套层数过多,不予接受。请用常用软件重新导出。",
        "it is nested too deep and is not accepted. Export it again with a usual program.",
    ),
    "encoding_unknown": (
        "无法识别文字编码。请另存为 UTF-8 后再读。",
        "the text encoding is not recognised. Save it as UTF-8.",
    ),
    "encoding_found": (
        "文字编码识别为 {used}。请核对名称。",
        "the text encoding was found to be {used}. Check the names.",
    ),
    "cpg_wrong": (
        ".cpg 声明 {stated},但内容不符;已按 {used} 读取。请核对名称。",
        "the .cpg says {stated} but the table does not fit; it was read as {used}. Check the "
        "names.",
    ),
    "nul_characters": (
        "文件中有空字符,已去掉。请核对各列。",
        "it holds NUL characters; they were removed. Check the columns.",
    ),
    "not_geopackage": (
        "这不是 GeoPackage。请从 QGIS 等软件导出 GeoPackage。",
        "this is not a GeoPackage. Export one from QGIS or a similar program.",
    ),
    "database_damaged": (
        "数据库已损坏。请重新导出或从备份恢复。",
        "the database is damaged. Export it again or take a backup.",
    ),
    "too_slow": (
        "读取超过 {seconds} 秒,已停止。请简化或拆分文件。",
        "reading took longer than {seconds} s and was stopped. Simplify or split the file.",
    ),
    "too_much_memory": (
        "读取需要的内存超过 {megabytes} MB,已停止。请拆分文件。",
        "reading needs more than {megabytes} MB of memory and was stopped. Split the file.",
    ),
    "reader_died": (
        "读取这个文件时读取程序异常退出;其他数据不受影响。请重新导出文件。",
        "the reader was ended by this file; nothing else is affected. Export the file again.",
    ),
    "no_layers": ("文件中没有图层。请重新导出。", "it holds no layer. Export it again."),
    "no_such_layer": (
        "没有名为 {layer} 的图层。现有:{layers}。",
        "there is no layer {layer}. There are: {layers}.",
    ),
    "several_layers": (
        "有多个图层:{layers}。请用“文件:图层”指定一个。",
        "it holds several layers: {layers}. Name one as FILE:layer.",
    ),
}

_ARCHIVES = {
    "zip_damaged": (
        "压缩包已损坏或不完整。请重新压缩或上传。",
        "the zip is damaged or cut off. Zip or upload it again.",
    ),
    "zip_encrypted": ("压缩包有密码。请去掉密码后再读。", "the zip has a password. Remove it."),
    "zip_entries": (
        "压缩包内有 {entries} 个文件,超过上限 {limit}。请只保留需要的文件。",
        "the zip holds {entries} files, more than {limit}. Keep only those needed.",
    ),
    "zip_bomb": (
        "解压后超过 {megabytes} MB(上限 {limit} MB),不予接受。请拆分数据。",
        "it unpacks to more than {megabytes} MB (limit {limit} MB) and is not accepted. Split the "
        "data.",
    ),
    "zip_path": (
        "压缩包内的文件名指向包外,不予接受。请重新压缩。",
        "a name in the zip points outside it; not accepted. Zip the files again.",
    ),
    "zip_link": (
        "压缩包内有链接,不予接受。请压缩文件本身。",
        "the zip holds a link; not accepted. Zip the files themselves.",
    ),
    "zip_in_zip": (
        "压缩包里还是压缩包。请先解压一层。",
        "the zip holds another archive. Unpack it once first.",
    ),
    "zip_without_map": (
        "压缩包内没有地图或表格数据(.shp、.gpkg、.csv 等)。请检查内容。",
        "the zip holds no map or table (.shp, .gpkg, .csv …). Check its content.",
    ),
    "zip_several": (
        "压缩包内有多份数据:{names}。请用“文件:名称”指定一份。",
        "the zip holds several data sets: {names}. Name one as FILE:name.",
    ),
    "sheet_bomb": (
        "表格解压后有 {megabytes} MB(上限 {limit} MB)。请另存为 CSV 或删去空行空列。",
        "the spreadsheet unpacks to {megabytes} MB (limit {limit} MB). Save it as CSV or delete "
        "empty rows.",
    ),
    "part_missing": (
        "缺少 {part} 文件。请把 .shp、.shx、.dbf、.prj 一起提供。",
        "the {part} file is missing. Give .shp, .shx, .dbf and .prj together.",
    ),
    "part_missing_shx": (
        "缺少 .shx 文件,索引已重建。请核对要素个数。",
        "the .shx file is missing; the index was rebuilt. Check the number of shapes.",
    ),
    "part_missing_dbf": (
        "缺少 .dbf 文件,没有名称和代码。请补上 .dbf。",
        "the .dbf file is missing, so there are no names or codes. Add it.",
    ),
    "part_missing_prj": (
        "缺少 .prj 文件,坐标系未知。请补上或指定坐标系。",
        "the .prj file is missing, so the coordinate system is unknown. Add it or state the "
        "system.",
    ),
    "part_damaged": (
        "{part} 文件已损坏。请重新导出。",
        "the {part} file is damaged. Export it again.",
    ),
    "shapes_cut_off": (
        ".shp 不完整:应有 {total} 个图形,缺 {missing} 个。请重新复制。",
        "the .shp is cut off: {missing} of {total} shapes are missing. Copy it again.",
    ),
    "table_cut_off": (
        ".dbf 不完整:应有 {total} 行,缺 {missing} 行。请重新复制。",
        "the .dbf is cut off: {missing} of {total} rows are missing. Copy it again.",
    ),
    "table_length": (
        "图形 {shapes} 个,属性 {rows} 行,个数不一致;只读取两者都有的部分。请重新导出。",
        "{shapes} shapes but {rows} table rows; only what both have was read. Export it again.",
    ),
}

_TABLES = {
    "header_missing": (
        "没有列名:第一行是数据。请在第一行写上列名。",
        "there are no column names: the first row holds data. Put a row of names above it.",
    ),
    "column_twice": (
        "列名重复:{columns}。请改名后再读。",
        "column names appear twice: {columns}. Rename them.",
    ),
    "column_missing": (
        "没有名为 {column} 的列(用于 {meaning})。现有:{columns}。",
        "there is no column {column} (for {meaning}). There are: {columns}.",
    ),
    "column_personal": (
        "{column} 列是个人信息,不能读取。请另选一列。",
        "column {column} holds personal data and cannot be read. Choose another.",
    ),
    "column_called_geometry": (
        "属性中有名为 geometry 的列,只作属性处理。可改名以免混淆。",
        "a property is called geometry; it is taken as a property only. Rename it to avoid "
        "confusion.",
    ),
    "too_many_columns": (
        "有 {columns} 列,超过上限 {limit}。请删去不需要的列。",
        "it has {columns} columns, more than {limit}. Remove those not needed.",
    ),
    "too_many_rows": (
        "有 {rows} 行以上,超过上限 {limit}。请按乡镇拆分。",
        "it has {rows} rows or more, above the limit of {limit}. Split it by township.",
    ),
    "table_damaged": (
        "第 {line} 行附近引号不配对或单元格过长。请修改后再读。",
        "near line {line} quotes do not match or a cell is too long. Correct it.",
    ),
    "rows_long": (
        "第 {rows} 行有 {fields} 个字段,表头只有 {header} "
        "个,各列可能错位。请给含逗号的文字加引号。",
        "rows {rows} have {fields} fields but the header has {header}, so columns may be shifted. "
        "Put text with commas in quotes.",
    ),
    "rows_short": (
        "第 {rows} 行只有 {fields} 个字段,表头有 {header} 个;缺的按空处理。请核对。",
        "rows {rows} have {fields} fields but the header has {header}; the rest was taken as "
        "empty. Check them.",
    ),
    "footers": (
        "末尾第 {rows} 行是说明,已略过。如果是数据,请补全各列。",
        "rows {rows} at the end are remarks and were left out. If they are data, fill their "
        "columns.",
    ),
    "merged_filled": (
        "{columns} 列有向下合并的单元格,其值已填给下面 {count} 格。请核对。",
        "column {columns} has cells merged downwards; their values were given to {count} cells "
        "below. Check them.",
    ),
    "merged_counts": (
        "{columns} 列的数量写在向下合并的单元格里,只计在第一行,其余 {count} 格按 0 计。"
        "请拆分填写。",
        "column {columns} has counts in cells merged downwards; each counts in its first row only "
        "and {count} cells below are 0. Give each row its own count.",
    ),
    "code_scientific": (
        "{column} 列第 {rows} 行的代码被表格软件改成了科学计数(如 3.2E+11),原数字已丢失。"
        "请把该列设为文本后重新导出。",
        "in column {column}, rows {rows}, a spreadsheet turned codes into numbers like 3.2E+11 and "
        "digits are lost. "
        "Format the column as text and export again.",
    ),
    "zeros_restored": (
        "{column} 列有 {count} 个代码丢了开头的 0,已补上。请核对。",
        "in column {column}, {count} codes had lost their leading zero; it was put back. Check "
        "them.",
    ),
    "half_characters": (
        "有 {count} 处文字编码损坏,已用问号代替。请核对名称。",
        "{count} texts hold broken characters; question marks stand in. Check the names.",
    ),
    "remarks": (
        "读取程序对这个文件有 {count} 条提示,已尽量读取。请核对图层。",
        "the reader had {count} remarks about this file and read what it could. Check the layer.",
    ),
    "hidden_characters": (
        "{column} 列有 {count} 个单元格含控制字符或方向符,已去掉。请核对。",
        "in column {column}, {count} cells held control or direction characters; they were "
        "removed. Check them.",
    ),
    "text_cut": (
        "{column} 列有 {count} 个单元格超过 {limit} 字,已截短。请核对。",
        "in column {column}, {count} cells were longer than {limit} characters and were cut. Check "
        "them.",
    ),
    "count_not_number": (
        "{column} 列第 {rows} 行不是数字(如“{value}”,共 {count} 行),按未填处理。请改正。",
        'in column {column}, rows {rows} are no numbers (such as "{value}"; {count} rows); '
        "taken as empty. Correct them.",
    ),
    "count_negative": (
        "{column} 列第 {rows} 行是负数(共 {count} 行),按未填处理。请改正。",
        "in column {column}, rows {rows} are negative ({count} rows); taken as empty. Correct "
        "them.",
    ),
    "count_huge": (
        "{column} 列第 {rows} 行的数大得不合理(共 {count} 行),按未填处理。请改正。",
        "in column {column}, rows {rows} are impossibly large ({count} rows); taken as empty. "
        "Correct them.",
    ),
    "count_fraction": (
        "{column} 列第 {rows} 行不是整数(共 {count} 行),已四舍五入。请核对。",
        "in column {column}, rows {rows} are no whole numbers ({count} rows); they were rounded. "
        "Check them.",
    ),
    "time_unreadable": (
        "{column} 列第 {rows} 行的日期不存在或无法识别(共 {count} 行),按无时间处理。请改正。",
        "in column {column}, rows {rows} hold no existing or readable date ({count} rows); taken "
        "as without time. "
        "Correct them.",
    ),
    "incidents_repeated": (
        "第 {rows} 行与前面某行的时间、地点和类别相同(共 {count} 行),按同一事件只计一次。请核对。",
        "rows {rows} repeat an earlier row's time, place and kind ({count} rows); each event "
        "counts once. "
        "Check them.",
    ),
    "personal_dropped": (
        "含个人信息的内容未保存:{columns}(共 {cells} 格)。",
        "personal data was left out: {columns} ({cells} cells).",
    ),
}

_PLACES = {
    "coordinates_unreadable": (
        "第 {rows} 行的坐标不是数字(共 {count} 行),按无坐标处理。请改正,度分秒可写作 120°30′00″。",
        "rows {rows} hold coordinates that are no numbers ({count} rows); taken as without place. "
        "Correct them; "
        "degrees may be written 120°30′00″.",
    ),
    "coordinates_missing": (
        "第 {rows} 行没有坐标(共 {count} 行),列为未落图。请补上。",
        "rows {rows} have no coordinates ({count} rows) and count as unplaced. Add them.",
    ),
    "coordinates_not_numbers": (
        "第 {rows} 行的坐标不是有效数字。请改正。",
        "rows {rows} hold coordinates that are not finite numbers. Correct them.",
    ),
    "null_island": (
        "第 {rows} 行的坐标是 (0, 0)(共 {count} 行),按无坐标处理。请补上。",
        "rows {rows} lie at (0, 0) ({count} rows); taken as without place. Add the coordinates.",
    ),
    "outside_world": (
        "第 {rows} 行的坐标超出坐标系范围(共 {count} 行),不能使用。请检查坐标系和数值。",
        "rows {rows} lie outside the range of the coordinate system ({count} rows) and cannot be "
        "used. "
        "Check the system and the numbers.",
    ),
    "far_away": (
        "第 {rows} 行离其他点很远(共 {count} 行),可能在外省。请核对坐标。",
        "rows {rows} lie far from all others ({count} rows), perhaps in another province. Check "
        "their coordinates.",
    ),
    "swapped": (
        "经纬度(或 X、Y)两列颠倒,已对调。请核对地图。",
        "longitude and latitude (or X and Y) were exchanged and have been put right. Check the "
        "map.",
    ),
    "metres_no_crs": (
        "坐标像是米,但没有说明坐标系。请指定坐标系(如 EPSG:4549)。",
        "the coordinates look like metres but no coordinate system is stated. State it (such as "
        "EPSG:4549).",
    ),
    "crs_guessed": (
        "按坐标值判断坐标系为 {crs}。请核对地图。",
        "judged by the numbers, the coordinate system is {crs}. Check the map.",
    ),
    "crs_unknown": (
        "坐标系 {crs} 无法识别。请改用已知的 EPSG 代码。",
        "the coordinate system {crs} is not known. Use a known EPSG code.",
    ),
    "ovkml_shifted": (
        "奥维导出的坐标通常是 GCJ-02(偏移)。请核对并在需要时纠偏。",
        "files of this kind usually hold shifted GCJ-02 coordinates. Check, and have them shifted "
        "back if needed.",
    ),
    "no_places": (
        "找不到坐标列,也没有可用来定位的村、组或小区列。现有:{columns}。请指定经度、纬度列。",
        "there are no coordinate columns and no village, group or compound to place rows by. There "
        "are: {columns}. "
        "Name the longitude and latitude columns.",
    ),
    "households_without_places": (
        "没有坐标,将按村、组或小区的位置近似落图。如有坐标请补上。",
        "there are no coordinates; rows will be placed approximately by village, group or "
        "compound. Add "
        "coordinates if there are any.",
    ),
    "merged_unknown": (
        "工作簿的格式部分已损坏,无法得知哪些单元格是合并的;请检查空白单元格,或另存为 .xlsx。",
        "the part of the workbook that tells merged cells is damaged: blank cells below them stay "
        "blank. Check them, or save the workbook as .xlsx.",
    ),
    "households_estimated": (
        "各小区域只有人口,户数按每户 {ratio} 人估算。如有户数请补上。",
        "the areas state people only; households were estimated at {ratio} people each. Add the "
        "count if known.",
    ),
    "areas_without_counts": (
        "各小区域没有户数,每个按 1 户计。请补上户数列。",
        "the areas state no households; each counts as one. Add a column of households.",
    ),
    "areas_empty": (
        "有 {count} 个小区域未填户数,按 0 户计。",
        "{count} areas state no households and count as uninhabited.",
    ),
}

_SHAPES = {
    "no_shape": (
        "第 {rows} 行没有图形或图形已损坏(共 {count} 行)。请在原软件中检查。",
        "rows {rows} have no shape, or a damaged one ({count} rows). Check them in their program.",
    ),
    "empty_shape": (
        "第 {rows} 行的图形是空的(共 {count} 行)。请补画。",
        "rows {rows} have an empty shape ({count} rows). Draw it.",
    ),
    "shape_damaged": (
        "第 {rows} 行的图形已损坏,无法读取。请在原软件中修复。",
        "rows {rows} have a damaged shape that cannot be read. Repair it in its program.",
    ),
    "too_few_corners": (
        "第 {rows} 行的图形点数不够(线至少 2 点,面至少 3 点)。请补画。",
        "rows {rows} have too few corners (a line needs 2, an area 3). Draw them again.",
    ),
    "too_many_vertices": (
        "图形共有 {vertices} 个顶点,超过上限 {limit}。请先简化。",
        "the shapes have {vertices} corners, more than {limit}. Simplify them first.",
    ),
    "too_complex": (
        "第 {rows} 行的图形有 {corners} "
        "个顶点且自身交叉过多,无法在限定时间内修复。请在原软件中修复。",
        "row {rows} has {corners} corners and crosses itself too often to be repaired in time. "
        "Repair it in its "
        "program.",
    ),
    "third_dimension": (
        "{count} 个图形带高程或测量值,已去掉。",
        "{count} shapes carry heights or measures; these were dropped.",
    ),
    "curves_unknown": (
        "含有无法识别的曲线图形。请在原软件中把曲线转成折线后再导出。",
        "it holds curved shapes that cannot be read. Turn curves into lines and export again.",
    ),
    "curves": ("曲线已转为短折线。", "curves were turned into short straight lines."),
    "collection": (
        "第 {rows} 行是混合图形,只用了合适的部分。请核对。",
        "rows {rows} are mixed shapes; only the fitting part was used. Check them.",
    ),
    "closed_lines": (
        "{count} 条闭合线已当作面。请核对。",
        "{count} closed lines were taken as areas. Check them.",
    ),
    "made_points": (
        "{count} 个图形不是点,已取其内部一点。",
        "{count} shapes are no points; a point inside each was taken.",
    ),
    "made_lines": (
        "{count} 个面已取其边线。",
        "{count} areas were taken as their outlines.",
    ),
    "points_in_polygons": (
        "有 {count} 个点(第 {rows} 行)混在边界面中,不能使用。请删去或改为面。",
        "{count} points (rows {rows}) lie in a layer of areas and cannot be used. Remove them or "
        "draw areas.",
    ),
    "lines_in_polygons": (
        "有 {count} 条线(第 {rows} 行),但这里需要面。请把线转成面。",
        "{count} lines (rows {rows}) were given where areas are needed. Turn them into areas.",
    ),
    "points_in_lines": (
        "有 {count} 个点(第 {rows} 行),但这里需要线。请检查图层。",
        "{count} points (rows {rows}) were given where lines are needed. Check the layer.",
    ),
    "lines_in_points": (
        "有 {count} 条线(第 {rows} 行),但这里需要点或面。请检查图层。",
        "{count} lines (rows {rows}) were given where points or areas are needed. Check the layer.",
    ),
    "self_crossing": (
        "第 {rows} 行{name}的边界在 {place} 附近自相交,已修复。请核对。",
        "row {rows}{name} crosses itself near {place}; it was repaired. Check it.",
    ),
    "more_crossings": (
        "还有更多自相交的图形,均已修复。",
        "more shapes cross themselves; all were repaired.",
    ),
    "no_extent": (
        "第 {rows} 行的图形没有面积或长度,不能使用。请重画。",
        "rows {rows} have a shape without area or length that cannot be used. Draw it again.",
    ),
    "nothing_usable": (
        "没有可用的图形(需要 {wanted})。请检查是否选错了图层。",
        "there is no usable shape (needed: {wanted}). Check whether this is the right layer.",
    ),
}

_VILLAGES = {
    "codes_made": (
        "没有村代码列,已编临时代码。如有代码请指定该列。",
        "there is no column of village codes; provisional ones were made. Name the column if there "
        "is one.",
    ),
    "codes_missing": (
        "第 {rows} 行没有村代码(共 {count} 行),已编临时代码。请补上。",
        "rows {rows} have no village code ({count} rows); provisional ones were made. Add them.",
    ),
    "names_made": (
        "没有村名列,以代码代替。如有村名请指定该列。",
        "there is no column of village names; codes stand in. Name the column if there is one.",
    ),
    "code_twice": (
        "村代码 {code} 出现在名称不同的多行(第 {rows} 行)。请改正代码。",
        "village code {code} is on rows with different names (rows {rows}). Correct the codes.",
    ),
    "parts_joined": (
        "代码和名称相同的多行已合并为一个村(含飞地):{codes}(共 {count} 个)。请核对。",
        "rows of one code and name were joined into one village of several parts: {codes} "
        "({count}). Check them.",
    ),
    "names_twice": (
        "有重名的村:{names}(共 {count} 个名称),以代码区分。",
        "villages share a name: {names} ({count} names); they are told apart by code.",
    ),
    "village_wide": (
        "第 {rows} 行{name}的范围超过 150 公里,图形可能有误。请核对。",
        "row {rows}{name} is wider than 150 km; its shape may be wrong. Check it.",
    ),
    "villages_without_shapes": (
        "村表没有边界图形,不能单独用于划分。请提供村界面。",
        "the village table has no boundaries and cannot be divided by itself. Give a layer of "
        "areas.",
    ),
}

TABLE: dict[str, tuple[str, str]] = {
    f"read_{code}": pair
    for group in (_FILES, _ARCHIVES, _TABLES, _PLACES, _SHAPES, _VILLAGES)
    for code, pair in group.items()
}


def register_all() -> None:
    """Put the sentences into the common table; a second call does nothing."""
    if not TABLE.keys() & SENTENCES.keys():
        register(TABLE)
